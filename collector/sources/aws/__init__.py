"""Amazon's sources: `object_source.py` reads S3 objects, `log_group_source.py` CloudWatch Logs; `clients.py` connects, `cloud_places.py` remembers."""
