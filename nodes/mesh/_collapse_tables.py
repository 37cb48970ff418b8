"""What the arrays of edge collapse hold.

``tri`` (M, 9) int32: three vertices, their wedges, the edges of the sides; -1 first: the face is gone.
``vert`` (V, 4) int32: where its faces begin in ``refs``, how many, its kind, a mark.
``edge`` (E, 4) int32: its ends, the next edge in its bucket, flags (features, and whether it waits).
``lot`` (7,) int64: the end of ``refs`` in use, the last mark, the present bucket, faces left, wedge pairs of the edge
at hand, faces that go with it; the end of ``refs``.
``pair`` (8, 2): wedges of the two ends that lie in one face. ``turn`` (4,): the vertex that goes, the one that stays,
whether it moves, the column of ``pair`` with wedges of the one that goes.
"""

INNER, LINE, CORNER, FIXED = 0, 1, 2, 3
BORDER, SEAM, HARD, GROUP, CROWD = 1, 2, 4, 8, 16
FEATURE, WAITS, GONE, OUTER = 255, 256, 512, 1 << 20
TAIL, STAMP, BUCKET, FACES, PAIRS, DYING, ROOM, LOT = 0, 1, 2, 3, 4, 5, 6, 7
MOST_ON_AN_EDGE = 60
BUCKETS = 16_321
NEVER = 1e30
DONE, EMPTY, FULL, PAUSE = 0, 1, 2, 3
