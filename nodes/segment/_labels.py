"""Names of things: the lists that detectors were trained on, and finding one by the word a person types."""

from __future__ import annotations

from collections.abc import Sequence

COCO_80 = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
_GAPS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})


def coco_91() -> tuple[str, ...]:
    """Names by the numbers 0 to 90 that torchvision's detectors give: 0 is the background, ten numbers have no name."""
    names = iter(COCO_80)
    return ("", *("" if number in _GAPS else next(names) for number in range(1, 91)))


_ALIKE = (
    "person,human,man,woman,boy,girl,child,kid,people,pedestrian,rider,body",
    "bicycle,bike,cycle",
    "motorcycle,motorbike,scooter,moped",
    "airplane,aeroplane,plane,aircraft,jet",
    "car,automobile,auto,vehicle",
    "bus,coach,vehicle",
    "truck,lorry,pickup,vehicle",
    "boat,ship,vessel",
    "traffic light,stoplight",
    "fire hydrant,hydrant",
    "dog,puppy,hound",
    "cat,kitten",
    "horse,pony",
    "cow,bull,cattle,ox",
    "sheep,lamb",
    "backpack,rucksack",
    "handbag,purse,bag",
    "suitcase,luggage",
    "sports ball,ball,football",
    "couch,sofa,settee",
    "chair,armchair,seat,stool",
    "potted plant,plant,houseplant,flower",
    "dining table,table,desk",
    "tv,television,monitor,screen",
    "laptop,notebook,computer",
    "cell phone,phone,mobile,smartphone,telephone,mobile phone",
    "cup,mug",
    "wine glass,glass,goblet",
    "refrigerator,fridge",
    "donut,doughnut",
    "hair drier,hair dryer,hairdryer",
    "teddy bear,teddy,plush,soft toy",
    "remote,remote control",
    "book,books",
    "stop sign,sign",
)
_IRREGULAR = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "knives": "knife", "mice": "mouse",
    "sheep": "sheep", "skis": "ski", "scissors": "scissor", "buses": "bus", "glasses": "glass", "lorries": "lorry",
    "ponies": "pony", "puppies": "puppy", "oxen": "ox",
}  # fmt: skip
_ARTICLES = frozenset({"the", "a", "an", "my", "all", "every", "each"})


def root(word: str) -> str:
    """Lower case, single, without an article: ``"The Wine Glasses"`` gives ``"wine glass"``."""
    parts = [part for part in word.lower().replace("_", " ").replace("-", " ").split() if part not in _ARTICLES]
    return " ".join([*parts[:-1], _single(parts[-1])]) if parts else ""


def _single(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(("shes", "ches", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 and word != "bus" else word


def matches(word: str, label: str) -> bool:
    """Whether a person who types ``word`` may mean ``label``: the same, a synonym, or its last word (ball, phone)."""
    wanted, name = root(word), root(label)
    if not wanted:
        return False
    groups = [{root(entry) for entry in line.split(",")} for line in _ALIKE]
    alike = {name}.union(
        *(group for group, line in zip(groups, _ALIKE, strict=True) if root(line.split(",")[0]) == name)
    )
    return wanted in alike or name.split()[-1:] == [wanted]


def numbers_of(word: str, labels: Sequence[str]) -> list[int]:
    """Which labels a word means. Where it names one exactly, synonyms do not count (a hot dog is no dog)."""
    exact = [i for i, label in enumerate(labels) if root(label) == root(word)]
    return exact or [i for i, label in enumerate(labels) if matches(word, label)]


def listed(labels: Sequence[str]) -> str:
    """``"2 chairs"`` style: ``chair (2), dog``, in order of their number."""
    counts = {label: list(labels).count(label) for label in dict.fromkeys(labels)}
    ordered = sorted(counts, key=lambda label: (-counts[label], label))
    return ", ".join(f"{label} ({counts[label]})" if counts[label] > 1 else label for label in ordered)
