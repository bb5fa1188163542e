"""The embedded server on HTTP, for official SDKs and for several machines.

``POST /`` takes requests, ``GET /poll/{group}/{pid}`` is the stream of messages of one process, ``/health`` and
``/ready`` are for whoever watches. Three parts: ``app`` translates between HTTP and the embedded server, ``streams``
keeps the open streams and their queues, ``guard`` decides who may speak at all. ``runner`` puts them on a port.
"""
