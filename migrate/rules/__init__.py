"""The rules: one code, one module. ``base`` says what a rule and a source are, ``catalogue`` finds them."""
