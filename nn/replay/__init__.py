"""Playback: a training as a page in which it can be watched, rewound and questioned."""
