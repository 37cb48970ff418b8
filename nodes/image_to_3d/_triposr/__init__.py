"""TripoSR (Tochilkin et al. 2024): one picture to a field of density and colour, and from that to a mesh."""
