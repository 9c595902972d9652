"""Physically based rendering: a described scene in, linear radiance out (Mitsuba 3, Open Image Denoise).

A `scene` is described in plain NumPy, made of `meshes` and `textures`. The `renderer` renders it; `translation` and
`daylight` put it in Mitsuba's terms. Nothing here knows of rooms.
"""
