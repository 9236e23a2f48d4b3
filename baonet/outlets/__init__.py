"""What is written for a reader that may stop or go away: nobody who has something else to do waits for it."""
