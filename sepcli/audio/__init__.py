"""Files in and out, resampling, STFT, windows: everything that knows what a sample is."""
