"""Rendered scenes: interiors that people modelled, and their views as linear HDR radiance.

The `catalogue` names the interiors, their authors and licences. `archives` unpacks them, `description` edits their
scene files (upright, without windows' stand-ins, lamps lit, materials varied), `loading` brings them into Mitsuba with
real daylight, which enters through `openings`. `viewpoints` finds where a photographer would stand, `production`
renders many views. Lengths are metres, z is up.
"""
