"""XDF files, written chunk by chunk as the format's specification says."""

from __future__ import annotations

import struct

import numpy as np

__all__ = ["CHANNELS", "EVENTS", "RATE", "chunk", "footer", "header", "marker_samples", "signal",
           "signal_samples", "varlen", "write"]

RATE = 100.0


def varlen(n):
    return b"\x01" + struct.pack("<B", n) if n < 256 else b"\x04" + struct.pack("<I", n)


def chunk(tag, content):
    return varlen(len(content) + 2) + struct.pack("<H", tag) + content


def header(number, name, kind, form, n_channels, rate, channels=()):
    desc = "".join(
        "<channel>" + "".join(f"<{key}>{value}</{key}>" for key, value in channel.items())
        + "</channel>" for channel in channels
    )
    xml = (
        f'<?xml version="1.0"?><info><name>{name}</name><type>{kind}</type>'
        f"<channel_count>{n_channels}</channel_count><nominal_srate>{rate}</nominal_srate>"
        f"<channel_format>{form}</channel_format>"
        f"<desc><channels>{desc}</channels></desc></info>"
    )
    return chunk(2, struct.pack("<I", number) + xml.encode())


def signal_samples(number, stamps, rows):
    out = struct.pack("<I", number) + varlen(len(rows))
    for stamp, row in zip(stamps, rows):
        out += b"\x08" + struct.pack("<d", stamp) + np.asarray(row, "<f4").tobytes()
    return chunk(3, out)


def marker_samples(number, stamps, texts):
    out = struct.pack("<I", number) + varlen(len(texts))
    for stamp, text in zip(stamps, texts):
        out += b"\x08" + struct.pack("<d", stamp) + varlen(len(text)) + text.encode()
    return chunk(3, out)


def footer(number, n):
    xml = f"<info><sample_count>{n}</sample_count></info>"
    return chunk(6, struct.pack("<I", number) + xml.encode())


CHANNELS = [{"label": "C3", "unit": "microvolts", "type": "EEG"},
            {"label": "C4", "unit": "uV", "type": "EEG"},
            {"label": "EOGL", "unit": "microvolts", "type": "EOG"}]
EVENTS = {5.0: "left", 9.0: "right", 13.0: "left", 17.004: "right"}


def signal(seconds=24):
    return np.random.default_rng(0).normal(0, 20, (round(seconds * RATE), 3))


def write(path, *, stamps=None, data=None, channels=CHANNELS, kind="EEG", rate=RATE, footers=True,
          events=EVENTS, first=b"", more=b""):
    data = signal() if data is None else data
    stamps = 1000 + np.arange(len(data)) / RATE if stamps is None else stamps
    out = b"XDF:" + chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')
    out += first + header(1, "amplifier", kind, "float32", data.shape[1], rate, channels)
    for at in range(0, len(data), 50):
        out += signal_samples(1, stamps[at : at + 50], data[at : at + 50])
    if events is not None:
        out += header(2, "cues", "Markers", "string", 1, 0)
        out += marker_samples(2, [1000 + time for time in events], list(events.values()))
    if footers:
        out += footer(1, len(data)) + (footer(2, len(events)) if events is not None else b"")
    path.write_bytes(out + more)
    return path
