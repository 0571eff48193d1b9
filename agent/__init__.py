"""One classroom: captures, encodes, streams, records, observes and reports."""
