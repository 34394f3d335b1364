from wizard.licensing.server.rate import Bucket


def test_a_bucket_gives_its_burst_and_then_one_at_a_time() -> None:
    bucket = Bucket(burst=2, refill=1000)
    assert [bucket.take(0), bucket.take(0), bucket.take(0)] == [True, True, False]
    assert [bucket.take(999), bucket.take(1000), bucket.take(1000)] == [False, True, False]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(burst=2, refill=1000)
    bucket.take(0)
    assert [bucket.take(1_000_000) for _ in range(3)] == [True, True, False]


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(burst=1, refill=1000)
    assert [bucket.take(5000), bucket.take(1000), bucket.take(1999), bucket.take(2000)] == [True, False, False, True]
