"""The rights that XMP states (ISO 16684-1), as XML in pictures or as JSON-LD in glTF (KHR_xmp_json_ld)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

OWN = "urn:polyloom:1"
LARGEST = 1 << 20
SPACES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://creativecommons.org/ns#": "cc",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    OWN: "polyloom",
}
NAMES = {
    "title": ("dc:title",),
    "author": ("dc:creator", "cc:attributionName"),
    "licence": ("xmpRights:UsageTerms", "cc:license", "xmpRights:WebStatement"),
    "source": ("dc:source", "cc:attributionURL", "photoshop:Source"),
    "rights": ("dc:rights",),
    "polyloom_credits": ("polyloom:polyloom_credits",),
}
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def from_xml(packet: bytes) -> dict[str, str]:
    """``title``, ``author``, ``licence``, ``source`` and ``rights`` as far as a packet states them.

    Packets above 1 MB and those that declare entities are not read.
    """
    start, end = packet.find(b"<rdf:RDF"), packet.rfind(b"</rdf:RDF>")
    body = packet[start : end + 10] if 0 <= start < end else b""
    if not body or len(body) > LARGEST or b"<!" in body:
        return {}
    try:
        tree = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    found: dict[str, str] = {}
    for description in tree.iter(f"{_RDF}Description"):
        for tag, value in description.attrib.items():
            found.setdefault(_short(tag), value)
        for child in description:
            found.setdefault(_short(child.tag), _text(child))
    return _chosen(found)


def as_xml(said: Mapping[str, str]) -> bytes:
    """A packet of ``Author``, ``Copyright`` and ``polyloom_credits``, those that are there; empty when none is."""
    shapes = {
        "Author": "<dc:creator><rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq></dc:creator>",
        "Copyright": '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></dc:rights>',
        "polyloom_credits": f'<p:polyloom_credits xmlns:p="{OWN}">{{}}</p:polyloom_credits>',
    }
    body = "".join(shape.format(escape(said[name])) for name, shape in shapes.items() if name in said)
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="r"?>'
    )
    return packet.encode() if body else b""


def from_json(packet: Any) -> dict[str, str]:
    """The same of one packet of KHR_xmp_json_ld."""
    if not isinstance(packet, dict):
        return {}
    return _chosen({str(name): _value(value) for name, value in packet.items()})


def _chosen(found: dict[str, str]) -> dict[str, str]:
    chosen = {}
    for field, names in NAMES.items():
        text = next((found[name].strip() for name in names if found.get(name, "").strip()), "")
        if text:
            chosen[field] = text
    return chosen


def _short(tag: str) -> str:
    space, _, name = tag.lstrip("{").rpartition("}")
    return f"{SPACES.get(space, '')}:{name}"


def _text(element: ElementTree.Element) -> str:
    """A plain value, the items of a list, or the first language of a text in several."""
    items = [(item.text or "").strip() for item in element.iter(f"{_RDF}li")]
    if element.find(f"{_RDF}Alt") is not None:
        return items[0] if items else ""
    if items:
        return ", ".join(item for item in items if item)
    return (element.text or "").strip() or element.attrib.get(f"{_RDF}resource", "")


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(filter(None, (_value(item) for item in value[:20])))
    if not isinstance(value, dict):
        return ""
    for name in ("@list", "@set", "@value", "@id"):
        if name in value:
            return _value(value[name])
    items = [_value(value[name]) for name in sorted(value) if re.fullmatch(r"(rdf:)?_\d+", name)]
    return items[0] if value.get("@type") == "rdf:Alt" and items else ", ".join(filter(None, items))
