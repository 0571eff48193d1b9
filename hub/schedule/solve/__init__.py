"""Solvers of the week's plan: quick first answers, search, and what is proven about them."""
