"""Progressive fine-tuning: one stage of a study on one fold."""
