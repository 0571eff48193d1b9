"""The school's facts: what there is to know of a district, and how a week's planning problem is made of it."""
