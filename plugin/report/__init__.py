"""The QC report: a folder of plain pages and pictures, opened from disk.

Workers leave one small sprite a frame (`sprites`) and figures in the manifest (`figures`); what is
built from them (`build`) costs little, and does not need the plate.
"""
