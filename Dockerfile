# The project on Ubuntu 24.04 with ROS 2 Jazzy from apt. Not tried yet: it was written without a container engine at hand.
#
#   docker build -t millirobot .
#   docker run --rm -v "$PWD/runs:/millirobot/runs" millirobot              # make demo
#   docker run --rm millirobot make test
#
# The robot's radio and motion capture: --device /dev/serial/by-id/usb-FTDI_... --network host
FROM ros:jazzy-ros-base

RUN apt-get update \
 && apt-get install -y --no-install-recommends make git python3-venv ros-jazzy-launch-pytest \
 && rm -rf /var/lib/apt/lists/* \
 && echo 'source /opt/ros/jazzy/setup.bash' >> /etc/bash.bashrc

WORKDIR /millirobot
COPY . .
RUN bash -c 'source /opt/ros/jazzy/setup.bash && make env && colcon build --packages-select millirobot_adapt'

# The image's entry point sources ROS.
CMD ["make", "demo"]
