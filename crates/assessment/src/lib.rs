//! Keeps each episode's record, evaluates it against the protocol and raises red flags first.
