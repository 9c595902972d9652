# ruff: noqa: SIM905 (a list of strings would be unreadable)
"""The options that trtexec documents, by major version; ``=`` marks those that take a value.

Sources: for 11, the text of ``trtexec --help`` of TensorRT 11.0.0.114 (banner v110000); for 10, the help text in
samples/common/sampleOptions.cpp of NVIDIA/TensorRT's last 10.x releases, which say that --fp16 and its kin are
deprecated in favour of strong typing.
"""

BOTH = frozenset(
    """
    --onnx= --minShapes= --optShapes= --maxShapes= --inputIOFormats= --outputIOFormats= --memPoolSize=
    --profilingVerbosity= --avgTiming= --refit --stripWeights --stripAllWeights --versionCompatible --vc
    --pluginInstanceNorm --pi --uint8AsymmetricQuantizationDLA --useRuntime= --leanDLLPath= --excludeLeanRuntime
    --monitorMemory --sparsity= --noTF32 --stronglyTyped --directIO --layerDeviceTypes= --decomposableAttentions= --safe
    --dumpKernelText --buildDLAStandalone --allowGPUFallback --consistency --saveEngine= --loadEngine= --asyncFileReader
    --getPlanVersionOnly --tacticSources= --noBuilderCache --noCompilationCache --errorOnTimingCacheMiss
    --timingCacheFile= --preview= --builderOptimizationLevel= --maxTactics= --hardwareCompatibilityLevel=
    --runtimePlatform= --tempdir= --tempfileControls= --maxAuxStreams= --profile= --allowWeightStreaming --markDebug=
    --markUnfusedTensorsAsDebugTensors --tilingOptimizationLevel= --l2LimitForTiling= --remoteAutoTuningConfig=
    --refitFromOnnx --shapes= --loadInputs= --iterations= --warmUp= --duration= --sleepTime= --idleTime= --infStreams=
    --exposeDMA --noDataTransfers --useManagedMemory --useSpinWait --threads --useCudaGraph --timeDeserialize
    --timeRefit --separateProfileRun --skipInference --persistentCacheRatio= --useProfile= --allocationStrategy=
    --saveDebugTensors= --saveAllDebugTensors= --weightStreamingBudget= --verbose --avgRuns= --percentile= --dumpRefit
    --dumpOutput --dumpRawBindingsToFile --dumpProfile --dumpLayerInfo --dumpOptimizationProfile --exportTimes=
    --exportOutput= --exportProfile= --exportLayerInfo= --device= --useDLACore= --staticPlugins= --dynamicPlugins=
    --setPluginsToSerialize= --ignoreParsedPluginLibs --safetyPlugins= --help
    """.split()
)
ONLY_10 = frozenset(
    """
    --minShapesCalib= --optShapesCalib= --maxShapesCalib= --weightless --fp16 --bf16 --int8 --fp8 --int4 --best
    --precisionConstraints= --layerPrecisions= --layerOutputTypes= --calib= --restricted --calibProfile=
    """.split()
)
ONLY_11 = frozenset(
    """
    --reportCapabilityDLA --adjustForDLA --enablePluginOverride --cpuOnly --includeDataTransfers --noSpinWait
    --noCudaGraph
    """.split()
)
FLAGS = {10: BOTH | ONLY_10, 11: BOTH | ONLY_11}
BANNERS = {10: "v101602", 11: "v110400"}
