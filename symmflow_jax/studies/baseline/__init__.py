"""An honest peer: one network for both tasks beside two networks of one task each."""
