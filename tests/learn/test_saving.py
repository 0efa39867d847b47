import subprocess
import sys

import numpy as np

from warmstart.learn.backbone import Backbone
from warmstart.text.transformer import TransformerEncoder

TEXTS = ["space ship", "wooden train"]

FULL_DISK = """
import resource, signal, sys
from warmstart.errors import TrainingError
from warmstart.learn.backbone import Backbone
backbone = Backbone(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # no file may grow beyond this: a disk that is full
try:
    backbone.save(sys.argv[2])
except TrainingError as error:
    sys.exit(7 if "free the disk" in str(error) else str(error))
"""


def test_a_full_disk_leaves_the_model_that_was_there(encoder_folder, tmp_path):
    target = tmp_path / "model"
    backbone = Backbone(encoder_folder)
    backbone.save(target)
    expected = backbone.encode(TEXTS)
    made = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(encoder_folder), str(target)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 7, made.stderr
    np.testing.assert_allclose(TransformerEncoder(target).encode(TEXTS), expected, atol=1e-5)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_saving_again_replaces_and_keeps_strangers(encoder_folder, tmp_path):
    target = tmp_path / "model"
    Backbone(encoder_folder).save(target)
    (target / "notes.txt").write_text("mine")
    Backbone(encoder_folder).save(target)
    assert (target / "notes.txt").read_text() == "mine"
    np.testing.assert_allclose(
        TransformerEncoder(target).encode(TEXTS), TransformerEncoder(encoder_folder).encode(TEXTS), atol=1e-5
    )
