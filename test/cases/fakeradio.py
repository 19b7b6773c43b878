"""A pty with the mock robot behind it, with a hook over the frames: wall time."""
import sys, os, time, threading, json, random, argparse
from pathlib import Path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.wireless_robot import WirelessRobot
from millirobot_adapt.sim.world import World
from firmware_bridge.xbee import StreamParser, RxPacket, TxStatus, encode_frame
def cs(d): return bytes([0xFF-sum(d)%256])
def frame(d): return b'\x7e'+len(d).to_bytes(2,'big')+d+cs(d)
class Fake:
    def __init__(s, path, robot=None, faults=RadioFaults(), down=None, up=None, wire=True):
        s.robotc=robot or RobotConfig()
        s.port=PtyPort(Path(path)); s.world=World(s.robotc,Condition(),0)
        s.radio=Radio(s.robotc.imageproc.radio,faults,wire,generator(0,1)); s.robot=WirelessRobot(s.world,s.radio)
        s.down=down or (lambda b:b); s.up=up or (lambda b:b); s.start=time.monotonic(); s.stop=False
        s.rx=0; s.tx=0
    def run(s):
        while not s.stop:
            data=s.port.read(0.002); now=time.monotonic()-s.start
            if data:
                s.rx+=len(data); data=s.up(data)
                if data: s.radio.write(data,now)
            if now-s.world.time>0.05: s.start+= now-s.world.time; now=s.world.time
            out=s.robot.advance(now)
            if out:
                out=s.down(out)
                if out: s.port.write(out); s.tx+=len(out)
        s.port.close()
    def __enter__(s):
        s.t=threading.Thread(target=s.run,daemon=True); s.t.start(); return s
    def __exit__(s,*a): s.stop=True; s.t.join()
def to_0x90(out):
    p=StreamParser(); r=b''
    for f in p.feed(out):
        if isinstance(f,RxPacket): r+=frame(b'\x90'+bytes(8)+f.source.to_bytes(2,'big')+b'\x01'+f.payload)
        else: r+=encode_frame(f)
    return r
def to_0x80(out):
    p=StreamParser(); r=b''
    for f in p.feed(out):
        if isinstance(f,RxPacket): r+=frame(b'\x80'+bytes.fromhex('0013A20040522BAA')+bytes([f.rssi,0])+f.payload)
        else: r+=encode_frame(f)
    return r
def escaped(out):
    p=StreamParser(); return b''.join(encode_frame(f,True) for f in p.feed(out))
def other_src(out):
    p=StreamParser(); r=b''
    import dataclasses
    for f in p.feed(out):
        r+=encode_frame(dataclasses.replace(f,source=2) if isinstance(f,RxPacket) else f)
    return r
def raw(out):
    p=StreamParser(); return b''.join(f.payload for f in p.feed(out) if isinstance(f,RxPacket))
