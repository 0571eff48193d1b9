"""The rules of a week's plan, counted from the facts alone: nothing here knows how solvers see a district."""
