"""How a district is made up: its schools first, then a plan, then what each could have done instead."""
