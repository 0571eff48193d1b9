"""The desk at which a week's plan is made: drafts, solving, approval by schools and district, publication."""
