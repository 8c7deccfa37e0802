"""The main job on one slide, shown at work: which tiles hold enough tissue?"""
