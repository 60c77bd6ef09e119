"""The records of ZIP archives: signatures and fields, for what reads them and what writes them."""

from __future__ import annotations

import struct
from typing import Final

LOCAL: Final = struct.Struct("<4s5H3I2H")
"""Before a member: signature, version, flags, method, time, date, CRC, stored and whole size, name, extra."""

CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
"""In the directory: also the system, comment, disk, attributes, and where the member starts."""

END: Final = struct.Struct("<4s4H2IH")
"""At the end: disks, members, size and start of the directory, length of a comment."""

END_64: Final = struct.Struct("<4sQ2H2I4Q")
"""As the end, for archives over 4 GiB."""

LOCATOR_64: Final = struct.Struct("<4sIQI")
"""Where the end for large archives is."""

LOCAL_SIGNATURE: Final = b"PK\x03\x04"
CENTRAL_SIGNATURE: Final = b"PK\x01\x02"
END_SIGNATURE: Final = b"PK\x05\x06"
END_64_SIGNATURE: Final = b"PK\x06\x06"
LOCATOR_64_SIGNATURE: Final = b"PK\x06\x07"

STORED: Final = 0
DEFLATED: Final = 8

EXTRA_64: Final = 0x0001
"""The extra field of sizes over 4 GiB."""

EXTRA_ALIGNMENT: Final = 0xD935
"""The extra field that pads a header, as Android's tools write it."""

LARGE: Final = 0xFFFFFFFF
"""What stands for a size that the extra field gives."""

MANY: Final = 0xFFFF
"""What stands for a count of members that the end for large archives gives."""
