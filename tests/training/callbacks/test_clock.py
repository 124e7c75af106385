from tfptx.training.calendar import Calendar
from tfptx.training.callbacks.clock import Clock


def test_the_clock_tells_epoch_batch_step_and_time_of_epochs_of_any_length():
    clock = Clock(Calendar((4, 2, 5)))
    clock.on_epoch_begin(2)
    clock.on_train_batch_begin(3)
    assert (clock.epoch, clock.batch, clock.step, clock.time) == (2, 3, 9, 2.6)


def test_a_call_that_goes_on_within_an_epoch_counts_from_there():
    clock = Clock(Calendar((4, 2, 5)))
    clock.first_batch = 2
    clock.on_epoch_begin(2)
    assert clock.batch == 2
    clock.on_train_batch_begin(1)
    assert (clock.batch, clock.step) == (3, 9)
