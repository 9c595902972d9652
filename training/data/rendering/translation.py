"""Cameras, meshes and materials in Mitsuba's terms."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.rendering.meshes import Mesh
from training.data.rendering.scene import Camera, Material, Part, Quality


def sensor_of(mi: Any, camera: Camera, quality: Quality) -> dict[str, Any]:
    """Mitsuba's description of a camera."""
    yaw, pitch = np.radians(camera.yaw_deg), np.radians(camera.pitch_deg)
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    position = np.asarray(camera.position)
    pose = mi.ScalarTransform4f().look_at(origin=position.tolist(), target=(position + forward).tolist(), up=[0, 0, 1])
    film = {
        "type": "hdrfilm",
        "width": quality.width_px,
        "height": quality.height_px,
        "pixel_format": "rgb",
        "component_format": "float32",
        "rfilter": {"type": "box"},  # leaves the noise uncorrelated, as the denoiser expects
    }
    sampler = {"type": "independent", "sample_count": quality.samples}
    return {
        "type": "perspective",
        "fov": camera.view_deg,
        "fov_axis": "x",
        "near_clip": 0.01,
        "to_world": pose,
        "film": film,
        "sampler": sampler,
    }


def shapes(mi: Any, parts: tuple[Part, ...]) -> Iterator[Any]:
    """One Mitsuba mesh per material."""
    groups: dict[int, list[Part]] = {}
    for part in parts:
        groups.setdefault(id(part.material), []).append(part)
    for group in groups.values():
        meshes, material = [part.mesh for part in group], group[0].material
        offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
        faces = [mesh.faces + np.uint32(offset) for mesh, offset in zip(meshes, offsets, strict=False)]
        yield triangles(mi, material, np.concatenate(faces), meshes)


def triangles(mi: Any, material: Material, faces: NDArray[np.uint32], meshes: list[Mesh]) -> Any:
    """A Mitsuba mesh."""
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(surface_of(mi, material))
    if material.emission is not None:
        value = {"type": "rgb", "value": np.asarray(material.emission, float).tolist()}
        properties["emitter"] = mi.load_dict({"type": "area", "radiance": value})
    count = sum(len(mesh.vertices) for mesh in meshes)
    mesh = mi.Mesh("part", count, len(faces), has_vertex_normals=True, has_vertex_texcoords=True, props=properties)
    values = mi.traverse(mesh)
    values["vertex_positions"] = np.concatenate([m.vertices for m in meshes]).astype(np.float32).ravel()
    values["vertex_normals"] = np.concatenate([m.normals for m in meshes]).astype(np.float32).ravel()
    values["vertex_texcoords"] = np.concatenate([m.uv for m in meshes]).astype(np.float32).ravel()
    values["faces"] = faces.ravel()
    values.update()
    return mesh


def surface_of(mi: Any, material: Material) -> dict[str, Any]:
    """Mitsuba's description of a material; four plugins in all, so that rooms share compiled kernels."""
    colour = reflectance_of(mi, material)
    if material.translucency:
        return {
            "type": "principledthin",
            "base_color": colour,
            "roughness": 0.9,
            "diff_trans": 2 * material.translucency,
        }
    if material.roughness is None:
        inner: dict[str, Any] = {"type": "diffuse", "reflectance": colour}
    elif material.metallic:
        inner = {"type": "roughconductor", "alpha": material.roughness, "specular_reflectance": colour}
    else:
        inner = {"type": "principled", "base_color": colour, "roughness": material.roughness, "specular": 0.5}
    return {"type": "twosided", "bsdf": inner}


def reflectance_of(mi: Any, material: Material) -> dict[str, Any]:
    """A colour, or a texture that continues mirrored."""
    value = np.array(material.reflectance, np.float32)
    if value.ndim == 1:
        value = value.reshape(1, 1, 3)
    t = mi.ScalarTransform3f().scale([1 / material.metres, value.shape[1] / value.shape[0] / material.metres])
    image = mi.Bitmap(value)
    return {"type": "bitmap", "bitmap": image, "raw": True, "wrap_mode": "mirror", "to_uv": t}
