"""Where a photographer would stand."""

import numpy as np

from training.data.rendering.scene import Camera
from training.data.rooms.pieces import Box
from training.data.rooms.room import Room

VIEWS = 2
"""Cameras per room."""
CLEARANCE = 0.2
"""Between a camera and the nearest thing beside it."""


def cameras_in(room: Room) -> tuple[Camera, ...]:
    """Views from eye height that look across the room in differing directions."""
    rng = room.rng
    found: list[tuple[float, Camera]] = []
    for _ in range(120):
        x, y = room.size * rng.uniform(0, 1, 2)
        eye = np.array([x, y, rng.uniform(1.15, 1.6)])
        around = Box(eye - np.array([CLEARANCE, CLEARANCE, 0.45]), eye + np.array([CLEARANCE, CLEARANCE, 0.3]))
        if not room.has_floor(around) or any(around.meets(box) for box in room.taken if box.solid):
            continue
        aim = room.size * rng.uniform(0.3, 0.7, 2) - eye[:2]
        yaw, view = float(np.degrees(np.arctan2(aim[1], aim[0]))), rng.uniform(55, 100)
        camera = Camera(tuple(eye.tolist()), yaw, float(np.clip(rng.normal(-4, 4), -14, 6)), view)
        found.append((openness(room, camera) * view**0.6 * rng.uniform(0.75, 1), camera))
    found.sort(key=lambda pair: -pair[0])
    chosen = [found[0][1]]
    while len(chosen) < VIEWS:
        turns = [min(abs((c.yaw_deg - o.yaw_deg + 180) % 360 - 180) for o in chosen) for _, c in found]
        best = max(range(len(found)), key=lambda k: found[k][0] ** 2 * min(turns[k], 60))
        chosen.append(found[best][1])
    return tuple(chosen)


def openness(room: Room, camera: Camera) -> float:
    """How far the camera sees, on average over its angle of view, in metres."""
    yaw = np.radians(camera.yaw_deg + camera.view_deg * np.linspace(-0.5, 0.5, 15))[:, None, None]
    steps = np.arange(0.1, 9, 0.1)[None, :, None]
    points = np.array(camera.position)[:2] + steps * np.concatenate([np.cos(yaw), np.sin(yaw)], -1)
    blocked = ~room.contains(points)
    for box in room.taken:
        inside = ((points > box.low[:2]) & (points < box.high[:2])).all(-1)
        near = (steps[..., 0] < 1.3) & (box.high[2] > 0.75)
        tall = (box.high[2] > camera.position[2] - 0.15) & (box.low[2] < camera.position[2])
        if box.solid:
            blocked |= inside & (near | tall)
    free = np.where(blocked.any(1), blocked.argmax(1), steps.shape[1]) * 0.1
    return float(np.minimum(free, 6).mean() * np.clip(np.quantile(free, 0.15) / 1.6, 0.05, 1))
