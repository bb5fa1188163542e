"""The bundled runtime: durable generator functions on an embedded store or a Resonate Server."""
