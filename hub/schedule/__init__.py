"""The week's plan: pairs lead lessons with receiving classes, and repairs the plan when life happens."""
