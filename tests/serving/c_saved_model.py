"""A SavedModel in TensorFlow's C API, whose loader and runtime are those of TensorFlow Serving."""

import ctypes
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

STRING, STRING_BYTES = 7, 24  # the C API's TF_STRING and its sizeof(TF_TString)
POINTERS = (
    "TF_NewStatus TF_NewGraph TF_NewSessionOptions TF_LoadSessionFromSavedModel TF_TensorData "
    "TF_GraphOperationByName TF_AllocateTensor TF_StringGetDataPointer"
)


class Output(ctypes.Structure):
    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


def _library():
    library = ctypes.CDLL(str(next(Path(tf.__file__).parent.glob("libtensorflow_cc.*"))))
    for name in POINTERS.split():
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("TF_StringGetSize", "TF_TensorByteSize"):
        getattr(library, name).restype = ctypes.c_size_t
    library.TF_Dim.restype = ctypes.c_int64
    library.TF_Message.restype = ctypes.c_char_p
    return library


class CSavedModel:
    """Runs the signatures of an export's version; no Python of TensorFlow's takes part in that."""

    def __init__(self, version):
        content = (version / "saved_model.pb").read_bytes()
        (graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
        self.signatures = dict(graph.signature_def)
        self._library = _library()
        self._status = ctypes.c_void_p(self._library.TF_NewStatus())
        self._graph = ctypes.c_void_p(self._library.TF_NewGraph())
        self._session = ctypes.c_void_p(
            self._library.TF_LoadSessionFromSavedModel(
                ctypes.c_void_p(self._library.TF_NewSessionOptions()),
                None,
                str(version).encode(),
                (ctypes.c_char_p * 1)(b"serve"),
                1,
                self._graph,
                None,
                self._status,
            )
        )
        self._check(self._status)

    def run(self, signature, inputs):
        """The outputs by name, NumPy arrays, of inputs by name; RuntimeError where it fails."""
        definition = self.signatures[signature]
        names = list(definition.outputs)
        fed = (Output * len(inputs))(*(self._place(definition.inputs[name]) for name in inputs))
        fetched = (Output * len(names))(*(self._place(definition.outputs[name]) for name in names))
        given = (ctypes.c_void_p * len(inputs))(*map(self._tensor, inputs.values()))
        results = (ctypes.c_void_p * len(names))()
        status = ctypes.c_void_p(self._library.TF_NewStatus())
        counts = len(inputs), len(names)
        self._library.TF_SessionRun(
            self._session, None, fed, given, counts[0], fetched, results, counts[1],
            None, 0, None, status,
        )  # fmt: skip
        self._check(status)
        arrays = [self._array(ctypes.c_void_p(each)) for each in results]
        for each in (*given, *results):
            self._library.TF_DeleteTensor(ctypes.c_void_p(each))
        return dict(zip(names, arrays, strict=True))

    def _check(self, status):
        if self._library.TF_GetCode(status):
            raise RuntimeError(self._library.TF_Message(status).decode())

    def _place(self, info):
        name, _, index = info.name.partition(":")
        operation = self._library.TF_GraphOperationByName(self._graph, name.encode())
        return Output(operation, int(index))

    def _tensor(self, values):
        library, is_text = self._library, isinstance(values, list)
        array = np.array(values, object if is_text else None)
        kind = STRING if is_text else tf.as_dtype(array.dtype).as_datatype_enum
        size = array.size * STRING_BYTES if is_text else array.nbytes
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        tensor = library.TF_AllocateTensor(kind, shape, array.ndim, ctypes.c_size_t(size))
        start = library.TF_TensorData(ctypes.c_void_p(tensor))
        if not is_text:
            ctypes.memmove(start, np.ascontiguousarray(array).ctypes.data, size)
            return tensor
        for place, value in enumerate(values):
            text = ctypes.c_void_p(start + STRING_BYTES * place)
            library.TF_StringInit(text)
            library.TF_StringCopy(text, value, ctypes.c_size_t(len(value)))
        return tensor

    def _array(self, tensor):
        library = self._library
        shape = [library.TF_Dim(tensor, axis) for axis in range(library.TF_NumDims(tensor))]
        start, kind = library.TF_TensorData(tensor), library.TF_TensorType(tensor)
        if kind != STRING:
            content = ctypes.string_at(start, library.TF_TensorByteSize(tensor)) if start else b""
            return np.frombuffer(content, tf.as_dtype(kind).as_numpy_dtype).reshape(shape).copy()
        texts = np.empty(int(np.prod(shape)), object)
        for place in range(texts.size):
            text = ctypes.c_void_p(start + STRING_BYTES * place)
            length = library.TF_StringGetSize(text)
            texts[place] = ctypes.string_at(library.TF_StringGetDataPointer(text), length)
        return texts.reshape(shape)
