"""The peer: the same API written by hand with Django REST framework, as its tutorial teaches it."""
