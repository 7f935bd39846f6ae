"""Time-frequency representations and handcrafted features, one function each; `registry` lists them."""
