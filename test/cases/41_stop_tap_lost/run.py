import os, signal, subprocess, sys, time
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE']='LOCALHOST'; os.environ['ROS_DOMAIN_ID']='93'
import rclpy
from rclpy.node import Node
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Joy, JointState
from std_srvs.srv import Trigger
from millirobot_adapt.contract.topics import JOY, SETPOINT
from millirobot_adapt.ros.conversions import qos
env={**os.environ}
for k in ('_ROS_WHEELS_BOOTSTRAP_COMPLETE','LD_LIBRARY_PATH'): env.pop(k,None)
from pathlib import Path
from millirobot_adapt.core.share import share_dir
p=subprocess.Popen([str(Path(sys.executable).parent/'teleop'),'--ros-args','--params-file',str(share_dir()/'params'/'teleop.yaml')],env=env)
rclpy.init()
n=Node('world'); stops=[0]
def on_stop(_,r): stops[0]+=1; r.success=True; return r
n.create_service(Trigger,'bridge/stop',on_stop)
pub=n.create_publisher(Joy,JOY.name,10)
ex=SingleThreadedExecutor(); ex.add_node(n)
def spin(s):
    e=time.monotonic()+s
    while time.monotonic()<e: ex.spin_once(timeout_sec=0.01)
def say(stop,held=0,stamp=None): 
    m=Joy(axes=[0.,0.5],buttons=[0,stop,0,0,held]); 
    pub.publish(m)
e=time.monotonic()+30
while pub.get_subscription_count()==0 and time.monotonic()<e: spin(.1)
spin(1)
res={}
for stall,tap in ((0,0.05),(0.1,0.05),(0.1,0.03),(0.3,0.1)):
    hit=0; N=10
    for i in range(N):
        for _ in range(4): say(0); spin(0.05)
        before=stops[0]
        if stall: os.kill(p.pid,signal.SIGSTOP)
        say(1); time.sleep(tap); say(0); time.sleep(max(0,stall-tap))
        if stall: os.kill(p.pid,signal.SIGCONT)
        for _ in range(8): say(0); spin(0.05)
        hit+= stops[0]>before
    print(f'teleop process stalled {stall*1e3:.0f} ms, tap of {tap*1e3:.0f} ms: stop arrived in {hit} of {N}',flush=True)
p.send_signal(signal.SIGINT); p.wait(10)
n.destroy_node(); rclpy.try_shutdown()
