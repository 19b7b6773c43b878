"""Draw a robot on its floor with MuJoCo's renderer: geoms that look like it and collide with nothing.

The scene has its own model, apart from the physics: what it shows is set by hand for every picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import mujoco
import numpy as np

from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.robot_shapes import RobotShape

Colour = tuple[float, float, float, float]
"""Red, green, blue, opacity: 0 to 1."""
SHADE = (0.75, 0.55)
"""Half axes of the shade below the robot, in its lengths."""
MOST_SEGMENTS = 6000
"""Segments of lines in one picture; what is more is left out."""


@dataclass(frozen=True)
class RobotPose:
    """What the robot looks like at a moment."""

    position: FloatArray
    """Of the body in the world [m], shape (3,)."""
    quaternion: FloatArray
    """Its attitude, xyzw, shape (4,)."""
    phases: tuple[float, ...] = ()
    """The phases that turn the hinges of its shape [rad], see `RobotShape.hinges`."""
    lost: frozenset[str] = frozenset()
    """Names of hinges whose part is not there any more, such as a leg."""


@dataclass(frozen=True)
class Line:
    """A line on the floor."""

    points: FloatArray
    """x, y [m], shape (N, 2)."""
    colour: Colour
    width: float
    """[m]."""
    height: float
    """Above the floor [m]: what lies higher hides what lies below."""


@dataclass(frozen=True)
class Camera:
    """Where the camera looks, and from where."""

    look_at: FloatArray
    """[m], shape (3,)."""
    distance: float
    """[m]."""
    elevation: float = -42.0
    """[degrees], negative from above."""
    azimuth: float = 90.0
    """[degrees]; 90 looks along +y, so that +x is to the right."""


class Scene:
    """Renders pictures. Make and use it in one thread; `close` frees the graphics context."""

    def __init__(self, width: int, height: int, shape: RobotShape) -> None:
        """Prepare pictures of this size [pixels] of a robot of this shape.

        Raises:
            Whatever MuJoCo's renderer raises without a graphics context; `graphics.choose_backend` finds one before.
        """
        self._shape = shape
        self._model = mujoco.MjModel.from_xml_string(_xml(shape, width, height))
        self._data = mujoco.MjData(self._model)
        self._renderer = mujoco.Renderer(self._model, height, width, max_geom=MOST_SEGMENTS + 1000)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        self._opacity = self._model.geom_rgba[:, 3].copy()
        self._geoms = {name: self._geoms_of(name) for name in shape.hinges}
        self._hinges = {name: int(self._model.joint(name).qposadr[0]) for name in shape.hinges}

    def _geoms_of(self, part: str) -> np.ndarray:
        return np.flatnonzero(self._model.geom_bodyid == self._model.body(part).id)

    def render(self, robot: RobotPose | None, lines: Sequence[Line], camera: Camera) -> np.ndarray:
        """Return a picture, uint8, shape (height, width, 3); without a robot the floor and the lines alone."""
        self._place(robot)
        self._camera.lookat[:] = camera.look_at
        self._camera.distance, self._camera.elevation = camera.distance, camera.elevation
        self._camera.azimuth = camera.azimuth
        self._renderer.update_scene(self._data, self._camera)
        if robot is not None:
            self._add_shade(robot)
        for line in lines:
            self._add(line)
        return np.asarray(self._renderer.render())

    def close(self) -> None:
        """Free the graphics context."""
        self._renderer.close()

    def _place(self, robot: RobotPose | None) -> None:
        qpos = self._data.qpos
        if robot is None:
            qpos[:3] = (0.0, 0.0, -10.0)
        else:
            x, y, z, w = robot.quaternion
            qpos[:7] = (*robot.position, w, x, y, z)
            for name, address in self._hinges.items():
                number, ahead = self._shape.hinges[name]
                qpos[address] = robot.phases[number] + ahead
                opacity = self._opacity[self._geoms[name]]
                self._model.geom_rgba[self._geoms[name], 3] = 0.0 if name in robot.lost else opacity
        mujoco.mj_forward(self._model, self._data)

    def _add_shade(self, robot: RobotPose) -> None:
        """Darken the floor below the robot: shadow maps take three times as long."""
        x, y, z, w = robot.quaternion
        yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        turned = np.array([math.cos(yaw), -math.sin(yaw), 0, math.sin(yaw), math.cos(yaw), 0, 0, 0, 1])
        for size in np.linspace(0.55, 1.0, 8):
            geom = self._renderer.scene.geoms[self._renderer.scene.ngeom]
            place = np.array([*robot.position[:2], 0.0004])
            half = np.array([*(2.0 * self._shape.half[0] * size * np.array(SHADE)), 0.0003])
            colour = np.array([0.1, 0.12, 0.15, 0.06], dtype=np.float32)
            mujoco.mjv_initGeom(geom, mujoco.mjtGeom.mjGEOM_ELLIPSOID, half, place, turned, colour)
            self._renderer.scene.ngeom += 1

    def _add(self, line: Line) -> None:
        """Draw a line as capsules from point to point."""
        scene = self._renderer.scene
        colour = np.array(line.colour, dtype=np.float32)
        points = np.column_stack([line.points, np.full(len(line.points), line.height)])
        for begin, end in pairwise(points):
            if scene.ngeom >= scene.maxgeom:
                return
            geom = scene.geoms[scene.ngeom]
            mujoco.mjv_initGeom(geom, mujoco.mjtGeom.mjGEOM_CAPSULE, np.zeros(3), np.zeros(3), np.zeros(9), colour)
            mujoco.mjv_connector(geom, mujoco.mjtGeom.mjGEOM_CAPSULE, line.width / 2, begin, end)
            scene.ngeom += 1


def _xml(shape: RobotShape, width: int, height: int) -> str:
    """Write the model: a floor of squares of 20 cm, light, and the robot."""
    return f"""
<mujoco model="scene">
  <visual>
    <global offwidth="{width}" offheight="{height}" fovy="40"/>
    <quality offsamples="4"/>
    <headlight ambient="0.42 0.42 0.42" diffuse="0.3 0.3 0.3" specular="0.1 0.1 0.1"/>
    <map znear="0.02" zfar="30"/>
  </visual>
  <asset>
    <texture name="sky" type="skybox" builtin="flat" rgb1="0.93 0.945 0.955" width="64" height="64"/>
    <texture name="grid" type="2d" builtin="checker" mark="edge" rgb1="0.86 0.875 0.89" rgb2="0.885 0.9 0.912"
      markrgb="0.80 0.82 0.84" width="256" height="256"/>
    <material name="floor" texture="grid" texrepeat="5 5" texuniform="true" reflectance="0"/>
    <material name="shell" rgba="0.16 0.20 0.25 1" specular="0.4" shininess="0.5"/>
    <material name="board" rgba="0.05 0.45 0.30 1"/>
    <material name="chip" rgba="0.08 0.08 0.09 1"/>
    <material name="cell" rgba="0.75 0.77 0.80 1" specular="0.6"/>
    <material name="metal" rgba="0.55 0.57 0.6 1" specular="0.8"/>
    <material name="marker" rgba="0.97 0.97 0.97 1"/>
    <material name="leg" rgba="0.92 0.48 0.12 1" specular="0.3"/>
  </asset>
  <default><geom contype="0" conaffinity="0" density="1000"/></default>
  <worldbody>
    <light pos="0 -2 4" dir="0 0.35 -1" directional="true" diffuse="0.45 0.45 0.45" castshadow="false"/>
    <geom type="plane" size="40 40 0.1" material="floor"/>
    <body name="body">
      <freejoint name="body"/>
      {shape.parts}
    </body>
  </worldbody>
</mujoco>"""
