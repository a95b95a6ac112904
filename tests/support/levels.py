"""Levels that several tests play."""

# all there is, not square, with a way out of the frame on every side, and monsters that meet
BUSY = """name = "busy"
goal = [270, 52]
---
   m           mm   G
H########H   ########
H   *    H   #
H  ####  H S # m  m
H        H######*####
      m  H
##########   ###*###
"""
