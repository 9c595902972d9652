"""Rendered rooms: furnished interiors from a seed, and their views as linear HDR radiance.

`interiors` makes a room: `walls` with openings, `shell` and `windows` build them, `layout` places `furniture` in the
`room`, `lamps` light it; `cameras` look at it, `outside` is seen through its windows, `production` renders many.
Lengths are metres, z is up; walls run counter-clockwise around the room.
"""
