"""What schemathesis does not know by itself."""

import schemathesis

# A piece of a resumable upload is bytes like any other.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
