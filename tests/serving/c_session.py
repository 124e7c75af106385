"""Loads a SavedModel with TensorFlow's C API and runs it; no Python of TensorFlow's takes part.

Run as `python c_session.py LIBRARY EXPORT INPUT OUTPUT IMAGE ...`; writes OUTPUT, int32, to stdout.
"""

import ctypes
import sys
from pathlib import Path

STRING, STRING_BYTES = 7, 24  # the C API's TF_STRING and its sizeof(TF_TString)


class Output(ctypes.Structure):
    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


def output(library, graph, name):
    operation, _, index = name.partition(":")
    library.TF_GraphOperationByName.restype = ctypes.c_void_p
    found = library.TF_GraphOperationByName(ctypes.c_void_p(graph), operation.encode())
    return Output(found, int(index))


def tensor_of_strings(library, values):
    library.TF_AllocateTensor.restype = ctypes.c_void_p
    library.TF_TensorData.restype = ctypes.c_void_p
    shape = (ctypes.c_int64 * 1)(len(values))
    size = ctypes.c_size_t(STRING_BYTES * len(values))
    tensor = library.TF_AllocateTensor(STRING, shape, 1, size)
    start = library.TF_TensorData(ctypes.c_void_p(tensor))
    for place, value in enumerate(values):
        text = ctypes.c_void_p(start + STRING_BYTES * place)
        library.TF_StringInit(text)
        library.TF_StringCopy(text, value, ctypes.c_size_t(len(value)))
    return ctypes.c_void_p(tensor)


def check(library, status):
    if library.TF_GetCode(status):
        library.TF_Message.restype = ctypes.c_char_p
        sys.exit(library.TF_Message(status).decode())


def main(library_path, export, input_name, output_name, *images):
    library = ctypes.CDLL(library_path)
    for make in ("TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions"):
        getattr(library, make).restype = ctypes.c_void_p
    library.TF_LoadSessionFromSavedModel.restype = ctypes.c_void_p
    status = ctypes.c_void_p(library.TF_NewStatus())
    graph = library.TF_NewGraph()
    session = library.TF_LoadSessionFromSavedModel(
        ctypes.c_void_p(library.TF_NewSessionOptions()),
        None,
        export.encode(),
        (ctypes.c_char_p * 1)(b"serve"),
        1,
        ctypes.c_void_p(graph),
        None,
        status,
    )
    check(library, status)
    fed = (Output * 1)(output(library, graph, input_name))
    fetched = (Output * 1)(output(library, graph, output_name))
    values = (ctypes.c_void_p * 1)(
        tensor_of_strings(library, [Path(image).read_bytes() for image in images])
    )
    results = (ctypes.c_void_p * 1)()
    library.TF_SessionRun(
        ctypes.c_void_p(session), None, fed, values, 1, fetched, results, 1, None, 0, None, status
    )
    check(library, status)
    start = library.TF_TensorData(ctypes.c_void_p(results[0]))
    sys.stdout.write(" ".join(map(str, (ctypes.c_int32 * len(images)).from_address(start))))


if __name__ == "__main__":
    main(*sys.argv[1:])
