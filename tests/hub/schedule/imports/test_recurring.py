"""Rules of recurrence are followed as another program follows them."""

import datetime as dt
from itertools import islice, takewhile

import icalendar
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedule.imports.recurring import FARTHEST_DAYS, HORIZON_DAYS, MOST_DAYS, days_of

FIRST = st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31))
ENDS = st.one_of(st.none(), st.integers(1, 60), st.timedeltas(dt.timedelta(), dt.timedelta(days=900)))


@settings(max_examples=150, deadline=None)
@given(
    FIRST,
    st.sampled_from(["DAILY", "WEEKLY", "YEARLY"]),
    st.integers(1, 5),
    st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])),
    ENDS,
)
def test_a_rule_has_the_days_that_another_program_finds(first, frequency, interval, weekdays, ends):
    rule = f"FREQ={frequency};INTERVAL={interval}"
    if frequency == "WEEKLY" and weekdays:
        rule += f";BYDAY={','.join(sorted(weekdays))}"
    if isinstance(ends, int):
        rule += f";COUNT={ends}"
    elif ends is not None:
        rule += f";UNTIL={first + ends:%Y%m%d}"
    last = first + dt.timedelta(days=HORIZON_DAYS if ends is None else FARTHEST_DAYS)
    theirs = (one.date() for one in rrulestr(rule, dtstart=dt.datetime.combine(first, dt.time())))
    ours = days_of(dict(icalendar.vRecur.from_ical(rule).items()), first)
    assert ours == list(islice(takewhile(lambda day: day <= last, theirs), MOST_DAYS))
