"""Plates: video files, image sequences and single images, read by frame number."""
