# verdict: ran
# program: succeeded
# ruff: noqa
# leaves a process behind that wants to outlive the kernel
import subprocess

subprocess.Popen(["sh", "-c", "setsid sleep 10000 &"])
