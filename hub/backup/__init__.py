"""One file that holds a hub: made while the hub runs, checked whole before a byte of it is put back."""
