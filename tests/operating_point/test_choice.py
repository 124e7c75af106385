import numpy as np
import pytest

from tfptx.operating_point import choice
from tfptx.operating_point.choice import Criterion

ALL = np.ones((1, 5), bool)


def test_the_best_is_of_the_largest_worth():
    assert choice.best(np.array([[0.8, 0.9]]), np.array([[0.9, 0.1]]), ALL[:, :2]) == (0, 1)


def test_a_tie_goes_to_the_dice_on_positives_and_then_to_the_middle():
    worth = np.array([[0.9, 0.9 - 1e-15, 0.8]])
    assert choice.best(worth, np.array([[0.2, 0.3, 1.0]]), ALL[:, :3]) == (0, 1)
    flat = np.full((3, 5), 0.9)
    assert choice.best(flat, np.full((3, 5), np.nan), np.ones((3, 5), bool)) == (1, 2)


def test_only_what_is_allowed_is_chosen():
    worth = np.array([[0.9, 0.8, 0.7]])
    assert choice.best(worth, worth, np.array([[False, True, True]])) == (0, 1)
    with pytest.raises(ValueError, match="no cell of the grid is a rule with the sensitivity"):
        choice.best(worth, worth, np.zeros((1, 3), bool))


def test_a_plateau_is_one_piece_within_noise():
    behind = np.array([[0.0, 0.01, 0.03, 0.01, 0.5]])
    noise = np.array([[0.0, 0.01, 0.02, 0.02, 0.1]])
    assert choice.plateau((0, 0), behind, noise, ALL).tolist() == [
        [True, True, False, False, False]
    ]
    forbidden = np.array([[True, False, True, True, True]])
    assert choice.plateau((0, 0), behind, noise, forbidden).sum() == 1


def test_the_middle_is_farthest_from_the_edge_of_a_plateau():
    plateau = np.zeros((7, 9), bool)
    plateau[1:6, 2:7] = True
    plateau[3, 7] = True
    assert choice.middle(plateau, np.zeros((7, 9))) == (3, 4)


def test_a_spike_is_its_own_middle_and_one_of_equals_is_the_better():
    worth = np.array([[0.1, 0.9, 0.2, 0.3]])
    spike = np.array([[False, True, False, False]])
    assert choice.middle(spike, worth) == (0, 1)
    assert choice.middle(np.array([[False, False, True, True]]), worth) == (0, 3)


def test_axes_of_one_value_and_of_three_have_a_middle():
    assert choice.middle(np.ones((1, 5, 1), bool), np.zeros((1, 5, 1))) == (0, 2, 0)
    assert choice.middle(np.ones((3, 3, 3), bool), np.zeros((3, 3, 3))) == (1, 1, 1)
    assert choice.middle(np.ones((1, 1), bool), np.zeros((1, 1))) == (0, 0)


def test_a_miss_costs_what_it_is_said_to():
    truth_px = np.array([5, 5, 0, 0])
    predicted_px = np.array([[3], [0], [2], [0]])
    gains = Criterion(cost_of_miss=10).gains(np.zeros((4, 1)), predicted_px, truth_px)
    assert gains.ravel().tolist() == [0, -10, -1, 0]
    dice = np.array([[0.1], [0.2], [0.3], [0.4]])
    assert Criterion().gains(dice, predicted_px, truth_px) is dice


def test_cells_must_find_and_leave_alone_enough():
    figures = {
        "sensitivity": np.array([0.9, 0.96, np.nan]),
        "specificity": np.array([0.9, 0.5, 0.9]),
    }
    assert Criterion(min_sensitivity=0.95).allows(figures).tolist() == [False, True, True]
    assert Criterion(0.95, 0.8).allows(figures).tolist() == [False, False, True]
