"""The simulated farm's servers on loopback: each speaks its original's protocol."""
