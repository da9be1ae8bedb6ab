//! Takes in episodes, submissions and adjudications, and refuses what is faulty without hiding a red flag.
