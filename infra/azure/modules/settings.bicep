// The app settings that both hostings share. Makes nothing.

@description('Name of the store\'s account.')
param storeAccount string

@description('Name of the host\'s account.')
param hostAccount string

@description('The store, as PNEUMONIA_STORE.')
param storeUrl string

@description('Client id of the identity.')
param clientId string

@description('Where Application Insights takes reports.')
param insightsConnection string

@description('Resource id of the retraining job.')
param jobId string

@description('Who may call.')
param authLevel string

@description('How many pictures are decoded and go through the network at once.')
param interpreters int

@description('Seconds between two looks for a promoted model.')
param refreshS int

@description('Whether answers are kept.')
param recordPredictions bool

@description('Further labels, with commas between them.')
param extraLabels string

var maxBodyMb = 32

@description('Name and value of each.')
output settings array = [
  {
    name: 'PNEUMONIA_STORE'
    value: storeUrl
  }
  {
    name: 'PNEUMONIA_AZURE_AUTH_LEVEL'
    value: authLevel
  }
  {
    name: 'PNEUMONIA_INTERPRETERS'
    value: string(interpreters)
  }
  {
    name: 'PNEUMONIA_REFRESH_S'
    value: string(refreshS)
  }
  {
    name: 'PNEUMONIA_RECORD_PREDICTIONS'
    value: recordPredictions ? 'on' : 'off'
  }
  {
    name: 'PNEUMONIA_EXTRA_LABELS' // empty is none
    value: extraLabels
  }
  {
    name: 'PNEUMONIA_MAX_BODY_MB'
    value: string(maxBodyMb)
  }
  {
    name: 'PNEUMONIA_LOG_LEVEL' // alerts look for the lines
    value: 'INFO'
  }
  {
    name: 'PNEUMONIA_LAUNCHER'
    value: 'container-apps'
  }
  {
    name: 'PNEUMONIA_LAUNCHER_JOB'
    value: jobId
  }
  {
    name: 'PNEUMONIA_RETRAIN_COMMAND' // the platform starts a killed container again
    value: 'pneumonia retrain --take-over'
  }
  {
    name: 'AZURE_CLIENT_ID' // which identity the store and the launcher are to use
    value: clientId
  }
  {
    name: 'AZURE_STORAGE_ACCOUNT_NAME'
    value: storeAccount
  }
  {
    name: 'AzureWebJobsStorage__accountName'
    value: hostAccount
  }
  {
    name: 'AzureWebJobsStorage__credential'
    value: 'managedidentity'
  }
  {
    name: 'AzureWebJobsStorage__clientId'
    value: clientId
  }
  {
    name: 'AzureWebJobsDisableHomepage' // the host would answer / with a page of its own
    value: 'true'
  }
  {
    name: 'FUNCTIONS_WORKER_RUNTIME'
    value: 'python'
  }
  {
    name: 'FUNCTIONS_WORKER_PROCESS_COUNT' // one model in memory
    value: '1'
  }
  {
    name: 'PYTHON_THREADPOOL_THREAD_COUNT' // host.json lets so many requests in
    value: '8'
  }
  {
    name: 'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT' // one MiB above ours, so that it is our sentence that refuses
    value: string((maxBodyMb + 1) * 1048576)
  }
  {
    name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
    value: insightsConnection
  }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${clientId};Authorization=AAD'
  }
]
