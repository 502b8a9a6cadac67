"""What never begins to serve: importing it takes longer than anybody waits."""

import time

time.sleep(600)
