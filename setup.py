"""Describe the ament_python package millirobot_adapt to colcon and to pip."""

import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

PACKAGE = 'millirobot_adapt'
SHARE = Path('share') / PACKAGE

# What the robot's computer does not need: the simulator with its experiments, and pages with pictures.
SIM = ['mujoco>=3.10', 'joblib>=1.5']
REPORT = ['matplotlib>=3.7', 'jinja2>=3.1']
FILM = [*SIM, *REPORT, 'imageio-ffmpeg>=0.5', 'pillow>=9.1']
PARQUET = ['pyarrow>=14.0.1']


def shared_files() -> list[tuple[str, list[str]]]:
    """List what is installed under share/: ament marker, manifest, and what the package reads or builds at run time."""
    folders: dict[str, list[str]] = {
        'share/ament_index/resource_index/packages': [f'resource/{PACKAGE}'],
        str(SHARE): ['package.xml'],
    }
    for top in ('launch', 'params', 'models', 'viz', 'firmware'):
        for path in sorted(Path(top).rglob('*')):
            if path.is_file() and not {'__pycache__', 'build'} & set(path.parts):
                folders.setdefault(str(SHARE / path.parent), []).append(str(path))
    return list(folders.items())


class BuildWithOrigin(build_py):
    """Note in what colcon installs which checkout it was built from, to find its `.venv` and its edited parameters."""

    def run(self) -> None:
        """Build, then write the note; a wheel gets none, for it leaves this machine."""
        super().run()
        if 'bdist_wheel' not in sys.argv and not getattr(self, 'editable_mode', False):
            note = Path(self.build_lib, PACKAGE, 'built_from.txt')
            note.write_text(f'{Path(__file__).resolve().parent}\n', encoding='utf-8')


setup(
    name=PACKAGE,
    version='0.1.0',
    description='Onboard controller runtime for a small legged robot that adapts its dynamics model while it walks.',
    license='Apache-2.0',
    packages=find_packages(include=[f'{PACKAGE}*', 'firmware_bridge*']),
    package_data={PACKAGE: ['py.typed', '*.pyi', 'analysis/templates/*'], 'firmware_bridge': ['py.typed']},
    data_files=shared_files(),
    cmdclass={'build_py': BuildWithOrigin},
    python_requires='>=3.10',
    install_requires=[
        'numpy>=1.26',
        'scipy>=1.11.4',
        'onnxruntime>=1.17',
        'pyserial>=3.5',
        'PyYAML>=6.0.1',
        'pydantic>=2.6',
        'tqdm>=4.60',
        'argcomplete>=3.1',
        'rosbags>=0.11',
        'mcap>=1.5',
        'zstandard>=0.20',
        'lz4>=4.0',
    ],
    extras_require={
        'sim': SIM,
        'report': REPORT,
        'film': FILM,
        'parquet': PARQUET,
        'view': [*SIM, *REPORT, 'rerun-sdk>=0.26'],
        # digi-xbee and dynamixel-sdk are the makers' own codecs, against which ours are tested.
        'test': [
            *FILM,
            *PARQUET,
            'pytest>=7.4',
            'pytest-xdist>=3.5',
            'hypothesis>=6.80',
            'digi-xbee>=1.4',
            'dynamixel-sdk>=4.0',
        ],
        'docs': ['mkdocs-material>=9.5'],
        'lint': ['ruff>=0.6', 'mypy>=1.10', 'types-PyYAML', 'types-pyserial'],
        # ROS 2 Jazzy from wheels, for machines without a ROS installation.
        'ros': [
            'ros-jazzy-rclpy',
            'ros-rmw-fastrtps-cpp==8.4.3',
            'ros-jazzy-geometry-msgs',
            'ros-jazzy-sensor-msgs',
            'ros-jazzy-nav-msgs',
            'ros-jazzy-std-srvs',
            'ros-jazzy-diagnostic-msgs',
            'ros-jazzy-visualization-msgs',
        ],
        # The same of Kilted: `ROS=kilted make demo`.
        'ros-kilted': [
            'ros-kilted-rclpy',
            'ros-kilted-rmw-fastrtps-cpp',
            'ros-kilted-geometry-msgs',
            'ros-kilted-sensor-msgs',
            'ros-kilted-nav-msgs',
            'ros-kilted-std-srvs',
            'ros-kilted-diagnostic-msgs',
            'ros-kilted-visualization-msgs',
        ],
        'train': [*SIM, *REPORT, 'torch==2.13.0', 'onnx>=1.16', 'onnxscript>=0.1', 'array-api-compat>=1.11'],
        # For engine.provider: cuda. A build of torch for the driver comes from PyTorch's own index.
        'gpu': ['torch>=2.4', 'onnx>=1.16', 'array-api-compat>=1.11'],
        # Only for `millirobot bench engine --peers`.
        'bench': [*SIM, *REPORT, 'torch>=2.0', 'pytorch_mppi>=0.9'],
    },
    zip_safe=True,
    entry_points={
        'console_scripts': [
            'millirobot = millirobot_adapt.app.entry:millirobot',
            'bridge = millirobot_adapt.app.entry:bridge',
            'estimator = millirobot_adapt.app.entry:estimator',
            'controller = millirobot_adapt.app.entry:controller',
            'collector = millirobot_adapt.app.entry:collector',
            'recorder = millirobot_adapt.app.entry:recorder',
            'mock_robot = millirobot_adapt.app.entry:mock_robot',
            'manager = millirobot_adapt.app.entry:manager',
            'player = millirobot_adapt.app.entry:player',
            'teleop = millirobot_adapt.app.entry:teleop',
        ],
    },
)
