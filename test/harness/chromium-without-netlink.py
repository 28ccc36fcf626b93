#!/usr/bin/python3
"""Becomes the browser that CHROMIUM_PROGRAM names, with its arguments, in a process that gets no AF_NETLINK socket.

Chromium ends every request with ERR_NETWORK_CHANGED, or forgets some, when an address of the machine changes: a container
that starts beside a test is enough. Without the socket it learns of none.
"""
import ctypes
import os
import platform
import struct
import sys

AF_NETLINK = 16
EAFNOSUPPORT = 97
# AUDIT_ARCH and the number of socket(2), by machine.
machines = {'x86_64': (0xC000003E, 41), 'aarch64': (0xC00000B7, 198)}

LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38


class Program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]


def forbid_netlink(arch, socket):
    steps = [
        (LOAD, 0, 0, 4), (IF_EQUAL, 0, 5, arch),
        (LOAD, 0, 0, 0), (IF_EQUAL, 0, 3, socket),
        (LOAD, 0, 0, 16), (IF_EQUAL, 0, 1, AF_NETLINK),
        (RETURN, 0, 0, FAIL | EAFNOSUPPORT),
        (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in steps))
    program = Program(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    # Where the system forbids filters the browser runs without one.
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)


if platform.machine() in machines:
    forbid_netlink(*machines[platform.machine()])
browser = os.environ.pop('CHROMIUM_PROGRAM')
os.execv(browser, [browser, *sys.argv[1:]])
